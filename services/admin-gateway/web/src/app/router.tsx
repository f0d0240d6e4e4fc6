import type { QueryClient } from "@tanstack/react-query";
import { createBrowserRouter, type LoaderFunctionArgs, redirect } from "react-router";
import { ApiError } from "@/api/errors";
import { meQuery } from "@/api/queries";
import { LoadingPage } from "@/components/loading";
import { loadTextsOf, type PageName } from "@/i18n";
import { loginAddress, returnAddress } from "./addresses";
import { BrokenPage, NotFoundPage } from "./fallbacks";
import { Shell } from "./shell";

const BASE = "/admin";

/** A page's code and what it says, fetched side by side. */
function page<Route>(name: PageName, code: () => Promise<Route>): () => Promise<Route> {
  return async () => (await Promise.all([code(), loadTextsOf(name)]))[0];
}

/** Every page is a chunk of its own: `src/pages/<page>/route.tsx` exports it as `Component`. */
export function createRouter(queries: QueryClient) {
  /** Lets nobody in who is not signed in; pages may count on `meQuery` being there. */
  async function signedIn({ request }: LoaderFunctionArgs) {
    try {
      await queries.ensureQueryData(meQuery);
      return null;
    } catch (error) {
      if (!(error instanceof ApiError && error.signedOut)) throw error;
      const { pathname, search } = new URL(request.url);
      return redirect(loginAddress((pathname.slice(BASE.length) || "/") + search));
    }
  }

  /** Leads who is signed in already past the login page. */
  async function signedOut({ request }: LoaderFunctionArgs) {
    const signedIn = await queries.ensureQueryData(meQuery).catch(() => null);
    return signedIn && redirect(returnAddress(new URL(request.url).searchParams));
  }

  return createBrowserRouter(
    [
      {
        path: "/login",
        loader: signedOut,
        lazy: page("login", () => import("@/pages/login/route")),
        HydrateFallback: LoadingPage,
        ErrorBoundary: BrokenPage,
      },
      {
        path: "/",
        loader: signedIn,
        shouldRevalidate: () => false,
        Component: Shell,
        HydrateFallback: LoadingPage,
        ErrorBoundary: BrokenPage,
        children: [
          {
            ErrorBoundary: BrokenPage,
            children: [
              { index: true, lazy: page("slots", () => import("@/pages/slots/route")) },
              { path: "slots/:slotId", lazy: page("slot", () => import("@/pages/slot/route")) },
              { path: "jobs", lazy: page("jobs", () => import("@/pages/jobs/route")) },
              { path: "jobs/:jobId", lazy: page("job", () => import("@/pages/job/route")) },
              { path: "statistics", lazy: page("statistics", () => import("@/pages/statistics/route")) },
              { path: "gallery", lazy: page("gallery", () => import("@/pages/gallery/route")) },
              { path: "queues", lazy: page("queues", () => import("@/pages/queues/route")) },
              { path: "settings", lazy: page("settings", () => import("@/pages/settings/route")) },
              { path: "settings/audit", lazy: page("audit", () => import("@/pages/audit/route")) },
              { path: "settings/api-keys", lazy: page("api-keys", () => import("@/pages/api-keys/route")) },
              { path: "webhooks", lazy: page("webhooks", () => import("@/pages/webhooks/route")) },
              { path: "*", Component: NotFoundPage },
            ],
          },
        ],
      },
    ],
    { basename: BASE },
  );
}
