import {
  Alert,
  Button,
  Card,
  type CSSVariablesResolver,
  createTheme,
  DrawerHeader,
  Input,
  type MantineColorsTuple,
  Modal,
  ModalHeader,
  Paper,
  Popover,
  Tooltip,
} from "@mantine/core";

/** The studios' green; 7 is #0f8a6c darkened until white text on it has 4.5:1 with room to spare. */
const brand: MantineColorsTuple = [
  "#e7f7f2",
  "#d3eee5",
  "#a8ddcb",
  "#79cbb0",
  "#4db795",
  "#2aa381",
  "#0f8a6c",
  "#0c7a5f",
  "#0a6550",
  "#064a3a",
];

/** Greys with a drop of the green, so that dark mode belongs to the same house. */
const dark: MantineColorsTuple = [
  "#d9e5e1",
  "#b4c6c0",
  "#93a8a1",
  "#60766f",
  "#34473f",
  "#263731",
  "#1a2823",
  "#12201b",
  "#0d1814",
  "#08110e",
];

export const theme = createTheme({
  primaryColor: "brand",
  primaryShade: 7,
  colors: { brand, dark },
  autoContrast: true,
  luminanceThreshold: 0.36,
  fontFamily: '"Onest Variable", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  headings: {
    fontWeight: "680",
    sizes: {
      h1: { fontSize: "1.875rem", lineHeight: "1.2" },
      h2: { fontSize: "1.25rem", lineHeight: "1.3" },
      h3: { fontSize: "1.0625rem", lineHeight: "1.35" },
    },
  },
  defaultRadius: "md",
  radius: { xs: "6px", sm: "8px", md: "12px", lg: "18px", xl: "26px" },
  // Beyond Mantine's own: a 4K screen.
  breakpoints: { wall: "220em" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Card: Card.extend({ defaultProps: { radius: "lg", padding: "lg", withBorder: true } }),
    Paper: Paper.extend({ defaultProps: { radius: "lg" } }),
    Button: Button.extend({ defaultProps: { radius: "xl" } }),
    Alert: Alert.extend({
      defaultProps: { radius: "lg" },
      // Titles are of this colour: Mantine's own red has 3.4:1 on its own background.
      vars: (_, { color }) => ({
        root: color === "red" ? { "--alert-color": "var(--mantine-color-error)" } : {},
      }),
    }),
    // A dialog's header is no banner of the page.
    Modal: Modal.extend({
      defaultProps: { radius: "lg", centered: true },
      styles: { title: { fontSize: "1.0625rem", fontWeight: 650 } },
    }),
    ModalHeader: ModalHeader.extend({ defaultProps: { role: "none" } }),
    DrawerHeader: DrawerHeader.extend({ defaultProps: { role: "none" } }),
    Popover: Popover.extend({ defaultProps: { radius: "lg", shadow: "lg" } }),
    Tooltip: Tooltip.extend({
      defaultProps: {
        events: { hover: true, focus: true, touch: false },
        openDelay: 300,
        // Within a landmark, as all that is to be read should be.
        portalProps: { target: "main" },
      },
    }),
    InputWrapper: Input.Wrapper.extend({ styles: { label: { fontWeight: 600, marginBottom: 4 } } }),
  },
});

/** Mantine's own names for green text: of links and of the quieter buttons. */
const ACCENT_TEXTS = {
  "--mantine-color-anchor": "var(--pc-accent-text)",
  "--mantine-color-brand-text": "var(--pc-accent-text)",
  "--mantine-color-brand-light-color": "var(--pc-accent-text)",
  "--mantine-color-brand-outline": "var(--pc-accent-text)",
};

/** Colours by purpose; use these rather than numbered shades. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f6fbf9",
    "--mantine-color-text": "#12302a",
    "--mantine-color-dimmed": "#516b64",
    "--mantine-color-default-border": "#d5e6df",
    "--mantine-color-placeholder": "#6d857e",
    // Mantine's own red has 3.3:1 on white.
    "--mantine-color-error": "#b3261e",
    "--pc-surface": "#ffffff",
    "--pc-surface-soft": "#eef7f3",
    "--pc-accent-text": "#0a6b52",
    ...ACCENT_TEXTS,
    "--pc-shadow": "0 1px 2px rgb(10 60 47 / 5%), 0 10px 30px -12px rgb(10 60 47 / 14%)",
  },
  dark: {
    "--mantine-color-body": "#0b1512",
    "--mantine-color-text": "#dfeae6",
    "--mantine-color-dimmed": "#9db2ab",
    "--mantine-color-default-border": "#263a33",
    "--mantine-color-placeholder": "#82978f",
    "--mantine-color-error": "#ff9d94",
    "--pc-surface": "#13201c",
    "--pc-surface-soft": "#1a2a25",
    "--pc-accent-text": "#5cc9a6",
    ...ACCENT_TEXTS,
    "--pc-shadow": "0 1px 2px rgb(0 0 0 / 30%), 0 12px 32px -14px rgb(0 0 0 / 60%)",
  },
});
