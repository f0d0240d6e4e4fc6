import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/errors";
import { LiveEvents } from "@/api/events";
import { keys } from "@/api/keys";
import { meQuery } from "@/api/queries";
import { onSignedOut, reportSignedOut } from "@/api/session";
import { loginAddress } from "./addresses";
import { createRouter } from "./router";

const REPEATS = 2;

/** What lives as long as the page: the cache of server state, the live connection and the router. */
export interface Platform {
  queries: QueryClient;
  events: LiveEvents;
  router: ReturnType<typeof createRouter>;
}

/** Wires them; the only place where that happens. */
export function createPlatform(): Platform {
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        // Live events say when something is outdated; this is for what they do not cover.
        staleTime: 15_000,
        retry: (failures, error) => worthRepeating(error) && failures < REPEATS,
      },
      mutations: { retry: false },
    },
  });
  const events = new LiveEvents(queries, undefined, () => {
    queries.fetchQuery({ ...meQuery, staleTime: 0 }).catch((error: unknown) => {
      if (error instanceof ApiError && error.signedOut) reportSignedOut();
    });
  });
  const router = createRouter(queries);
  onSignedOut(() => {
    const { pathname, search } = router.state.location;
    queries.removeQueries({ queryKey: keys.me });
    if (pathname !== "/login") void router.navigate(loginAddress(pathname + search));
  });
  return { queries, events, router };
}

/** Refusals stay refusals; silence and overload pass. */
function worthRepeating(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 502 || error.status === 503);
}
