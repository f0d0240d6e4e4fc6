import { ActionIcon, Center, Loader, Modal, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconQrcode } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { CopyField } from "./copy-field";

const QrCode = lazy(() => import("./qr-code"));

interface QrButtonProps {
  value: string;
  /** What the code leads to, also the dialog's title. */
  what: string;
  /** A line of help under the code. */
  help?: string;
}

/** Opens a dialog with the QR code of an address. */
export function QrButton({ value, what, help }: QrButtonProps) {
  const { t } = useTranslation();
  const [opened, dialog] = useDisclosure(false);
  return (
    <>
      <Tooltip label={t("qr.show")}>
        <ActionIcon
          variant="subtle"
          size="lg"
          radius="xl"
          aria-label={`${t("qr.show")}: ${what}`}
          aria-haspopup="dialog"
          onClick={dialog.open}
        >
          <IconQrcode size={18} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title={what}
        closeButtonProps={{ "aria-label": t("close") }}
      >
        <Stack gap="md">
          <QrPicture value={value} what={what} />
          <CopyField value={value} what={what} />
          {help && (
            <Text fz="sm" c="dimmed">
              {help}
            </Text>
          )}
        </Stack>
      </Modal>
    </>
  );
}

/** A QR code; its library is loaded when first needed. */
export function QrPicture({ value, what }: { value: string; what: string }) {
  return (
    <Center>
      <Suspense fallback={<Loader my={96} />}>
        <QrCode value={value} what={what} />
      </Suspense>
    </Center>
  );
}
