import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The gateway `photochanger up` runs, for `npm run dev`; GATEWAY_URL names another. */
function gatewayUrl(): string {
  const named = process.env["GATEWAY_URL"];
  if (named) return named;
  try {
    const env = readFileSync(new URL("../../../.local/dev.env", import.meta.url), "utf8");
    return /^GATEWAY_URL=['"]?([^'"\n]+)/m.exec(env)?.[1] ?? "http://localhost:8080";
  } catch {
    return "http://localhost:8080";
  }
}

const gateway = gatewayUrl();

/**
 * Imports icons one by one: through their common module a build would read all six thousand of them.
 */
const singleIcons: Plugin = {
  name: "single-icons",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("/src/") || !code.includes('"@tabler/icons-react"')) return null;
    return code.replace(/import \{([^}]+)\} from "@tabler\/icons-react";/g, (_, names: string) =>
      names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name && !name.startsWith("type "))
        .map((name) => `import ${name} from "@tabler/icons-react/dist/esm/icons/${name}.mjs";`)
        .join(""),
    );
  },
};

export default defineConfig({
  base: "/admin/",
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  esbuild: { jsx: "automatic" },
  plugins: [singleIcons],
  build: {
    outDir: "../src/photochanger_gateway/web",
    emptyOutDir: true,
    // The content security policy allows no data: fonts.
    assetsInlineLimit: 0,
    // Read by scripts/size.mjs.
    manifest: "manifest.json",
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    // scripts/size.mjs judges by what a first visit loads.
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      onwarn(warning, warn) {
        // "use client" means something to servers that render React only.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/public", "/pub", "/pubgallery", "/ingest"].map((path) => [path, { target: gateway }]),
    ),
  },
  test: {
    // A DOM takes a second to make: components' tests have one, others say `// @vitest-environment jsdom`.
    projects: [
      {
        extends: true,
        test: {
          name: "logic",
          include: ["src/**/*.test.ts"],
          environment: "node",
          setupFiles: ["src/testing/setup-logic.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "components",
          include: ["src/**/*.test.tsx"],
          environment: "jsdom",
          setupFiles: ["src/testing/setup-components.ts"],
        },
      },
    ],
    restoreMocks: true,
    // Generous: machines are shared, and a slow one is no failure.
    testTimeout: 30_000,
    // Two cores are shared with the other checks of `make test`.
    maxWorkers: 2,
    minWorkers: 1,
  },
});
