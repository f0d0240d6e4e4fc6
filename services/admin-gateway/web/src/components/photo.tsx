import { Center } from "@mantine/core";
import { IconPhoto, IconPhotoOff } from "@tabler/icons-react";
import { useEffect, useState } from "react";
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

/** A preview is made after its picture was told of: an address without a picture gets a few more chances. */
const PAUSES_MS = [700, 2000, 6000];

/** A picture from the platform; keeps its place while it loads, and says so when it is gone. */
export function Photo({ src, alt, fit = "cover", ratio = 1 }: PhotoProps) {
  // Remembers which address failed, so that a new one begins anew.
  const [failed, setFailed] = useState({ src: "", times: 0, paused: false });
  const { t } = useTranslation();
  const times = failed.src === src ? failed.times : 0;
  const paused = failed.src === src && failed.paused;
  const gone = times > PAUSES_MS.length;
  const missing = !src || paused || gone;
  useEffect(() => {
    const pause = paused ? PAUSES_MS[times - 1] : undefined;
    if (pause === undefined) return;
    const timer = setTimeout(() => setFailed((now) => ({ ...now, paused: false })), pause);
    return () => clearTimeout(timer);
  }, [paused, times]);
  return (
    <div className={classes["frame"] ?? ""} style={{ aspectRatio: ratio }}>
      {missing ? (
        <Center
          h="100%"
          p={4}
          className={classes["missing"] ?? ""}
          role="img"
          aria-label={gone ? t("photo.gone") : paused ? t("loading") : t("photo.missing")}
        >
          {gone ? (
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
          onError={() => setFailed({ src, times: times + 1, paused: true })}
        />
      )}
    </div>
  );
}
