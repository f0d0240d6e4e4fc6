import { Center } from "@mantine/core";
import { IconPhoto, IconPhotoOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ownPath } from "@/api/own-path";
import classes from "./photo.module.css";

interface PhotoProps {
  /** null: there is none. */
  src: string | null | undefined;
  alt: string;
  /** `cover` fills its box, `contain` shows all of it. */
  fit?: "cover" | "contain";
  /** width : height of its box. */
  ratio?: number;
}

/** A picture from the platform; keeps its place while it loads, and says so when it is gone. */
export function Photo({ src, alt, fit = "cover", ratio = 1 }: PhotoProps) {
  // Remembers which address failed, so that a new one gets its chance.
  const [failed, setFailed] = useState<string | null>(null);
  const { t } = useTranslation();
  const missing = !src || failed === src;
  return (
    <div className={classes["frame"] ?? ""} style={{ aspectRatio: ratio }}>
      {missing ? (
        <Center
          h="100%"
          p={4}
          className={classes["missing"] ?? ""}
          role="img"
          aria-label={src ? t("photo.gone") : t("photo.missing")}
        >
          {src ? (
            <IconPhotoOff size={26} stroke={1.4} aria-hidden />
          ) : (
            <IconPhoto size={26} stroke={1.4} aria-hidden />
          )}
        </Center>
      ) : (
        <img
          src={ownPath(src)}
          alt={alt}
          loading="lazy"
          decoding="async"
          className={classes["image"] ?? ""}
          data-fit={fit}
          onError={() => setFailed(src)}
        />
      )}
    </div>
  );
}
