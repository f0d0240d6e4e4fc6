import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { LiveEventsContext } from "@/components/live";
import type { Platform } from "./platform";
import { cssVariables, theme } from "./theme";

const colorSchemes = localStorageColorSchemeManager({ key: "photochanger.scheme" });

/** What every page needs around it. */
export function Providers({ platform, children }: { platform: Platform; children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={colorSchemes}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={platform.queries}>
        <LiveEventsContext value={platform.events}>
          <ModalsProvider>
            <Notifications position="bottom-right" containerWidth={400} />
            {children}
          </ModalsProvider>
        </LiveEventsContext>
      </QueryClientProvider>
    </MantineProvider>
  );
}
