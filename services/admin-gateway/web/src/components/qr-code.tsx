import { Box } from "@mantine/core";
import { QRCodeSVG } from "qrcode.react";
import { useTranslation } from "react-i18next";

/** Black on white in either scheme: many scanners read nothing else. */
function QrCode({ value, what }: { value: string; what: string }) {
  const { t } = useTranslation();
  return (
    <Box bg="#fff" p="md" bdrs="lg" lh={0}>
      <QRCodeSVG value={value} size={232} level="M" title={t("qr.alt", { what })} role="img" />
    </Box>
  );
}

// biome-ignore lint/style/noDefaultExport: React.lazy takes a default export
export default QrCode;
