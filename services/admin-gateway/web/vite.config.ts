import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
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

export default defineConfig({
  base: "/admin/",
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  esbuild: { jsx: "automatic" },
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
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // Two cores are shared with the other checks of `make test`.
    maxWorkers: 2,
    minWorkers: 1,
  },
});
