import { createRoot } from "react-dom/client";
import { App } from "./app/app";
import { startTexts } from "./i18n";
import "@fontsource-variable/onest/index.css";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app/global.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

await startTexts();
createRoot(root).render(<App />);
