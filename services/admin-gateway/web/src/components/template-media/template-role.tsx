import {
  ActionIcon,
  Alert,
  Badge,
  Group,
  List,
  Loader,
  SimpleGrid,
  Stack,
  Text,
  Tooltip,
} from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { describeError } from "../describe-error";
import { Photo } from "../photo";
import { DropArea } from "./drop-area";
import { pictureProblem } from "./picture";
import classes from "./template-role.module.css";

export interface TemplatePicture {
  media_object_id: string;
  preview_url: string;
}

interface TemplateRoleProps {
  title: string;
  required: boolean;
  /** 0: as many as one likes. */
  maxCount: number;
  pictures: readonly TemplatePicture[];
  /** What is wrong with the role as a whole. */
  error: string | undefined;
  limitMegabytes: number;
  upload: (file: File) => Promise<TemplatePicture>;
  /** Gets the pictures there are by then: uploads take their time. */
  onChange: (change: (pictures: readonly TemplatePicture[]) => TemplatePicture[]) => void;
  onRemoved: (picture: TemplatePicture) => void;
}

/** The template images of one role: drop or choose, replace, remove. */
export function TemplateRole(props: TemplateRoleProps) {
  const { title, required, maxCount, pictures, error, limitMegabytes, upload, onChange, onRemoved } = props;
  const { t } = useTranslation("slot");
  const [uploading, setUploading] = useState(0);
  const [failures, setFailures] = useState<string[]>([]);
  const room = maxCount === 0 ? Number.POSITIVE_INFINITY : maxCount - pictures.length;

  /** Uploads files one after the other; `place` puts each where it belongs. */
  const take = async (
    files: File[],
    place: (now: readonly TemplatePicture[], added: TemplatePicture) => TemplatePicture[],
  ) => {
    setFailures([]);
    for (const file of files) {
      const problem = pictureProblem(file, limitMegabytes);
      const fail = (text: string) =>
        setFailures((told) => [...told, t("templates.failed", { file: file.name, problem: text })]);
      if (problem) {
        fail(t(`templates.problem.${problem.problem}`, { megabytes: limitMegabytes }));
        continue;
      }
      setUploading((count) => count + 1);
      try {
        const added = await upload(file);
        onChange((now) => place(now, added));
      } catch (refusal) {
        fail(describeError(refusal));
      } finally {
        setUploading((count) => count - 1);
      }
    }
  };
  const add = (files: File[]) =>
    take(files.slice(0, Math.min(files.length, room)), (now, added) => [...now, added]);
  const replace = async (old: TemplatePicture, files: File[]) => {
    let replaced = false;
    await take(files, (now, added) => {
      replaced = true;
      return now.map((each) => (each.media_object_id === old.media_object_id ? added : each));
    });
    if (replaced) onRemoved(old);
  };
  const remove = (old: TemplatePicture) => {
    onChange((now) => now.filter((each) => each.media_object_id !== old.media_object_id));
    onRemoved(old);
  };

  return (
    <Stack gap="xs" role="group" aria-label={title}>
      <Group gap="xs">
        <Text fw={600} fz="sm">
          {title}
        </Text>
        <Badge variant="light" color={required ? "brand" : "gray"} tt="none">
          {t(required ? "templates.required" : "templates.optional")}
          {maxCount > 1 && `, ${t("templates.upTo", { count: maxCount })}`}
        </Badge>
        {uploading > 0 && (
          <Group gap={6} role="status">
            <Loader size={14} aria-hidden />
            <Text fz="xs" c="dimmed">
              {t("templates.uploading")}
            </Text>
          </Group>
        )}
      </Group>
      <SimpleGrid
        cols={maxCount === 1 ? 1 : { base: 2, sm: 3 }}
        spacing="sm"
        maw={maxCount === 1 ? 420 : undefined}
      >
        {pictures.map((picture, index) => {
          const what = t("templates.alt", { role: title, number: index + 1 });
          return (
            <div key={picture.media_object_id} className={classes["tile"]}>
              <DropArea
                compact
                label={t("templates.replaceLabel", { what })}
                disabled={uploading > 0}
                onFiles={(files) => replace(picture, files)}
              >
                <Photo
                  src={picture.preview_url}
                  alt={what}
                  ratio={maxCount === 1 ? 3 / 2 : 1}
                  fit="contain"
                />
                <span className={classes["hint"]} aria-hidden="true">
                  {t("templates.replace")}
                </span>
              </DropArea>
              <Tooltip label={t("templates.remove")}>
                <ActionIcon
                  className={classes["remove"] ?? ""}
                  variant="default"
                  radius="xl"
                  size="lg"
                  aria-label={t("templates.removeLabel", { what })}
                  onClick={() => remove(picture)}
                >
                  <IconTrash size={17} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </div>
          );
        })}
        {room > 0 && (
          <DropArea
            compact={pictures.length > 0}
            label={`${title}: ${t(pictures.length > 0 ? "templates.add" : "templates.drop")}`}
            text={t(pictures.length > 0 ? "templates.add" : "templates.drop")}
            help={t("templates.formats", { megabytes: limitMegabytes })}
            multiple={room > 1}
            disabled={uploading > 0}
            invalid={error !== undefined}
            onFiles={add}
          />
        )}
      </SimpleGrid>
      {error && (
        <Text fz="sm" c="var(--mantine-color-error)">
          {error}
        </Text>
      )}
      {failures.length > 0 && (
        <Alert
          color="red"
          role="alert"
          withCloseButton
          closeButtonLabel={t("close", { ns: "common" })}
          onClose={() => setFailures([])}
        >
          <List fz="sm" listStyleType="none" spacing={4}>
            {failures.map((failure) => (
              <List.Item key={failure}>{failure}</List.Item>
            ))}
          </List>
        </Alert>
      )}
    </Stack>
  );
}
