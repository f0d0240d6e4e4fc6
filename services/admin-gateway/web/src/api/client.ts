import createClient, { type Middleware } from "openapi-fetch";
import { errorOf, noAnswer } from "./errors";
import type { paths } from "./schema";
import { getCsrfToken, reportSignedOut } from "./session";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

const session: Middleware = {
  onRequest({ request }) {
    const token = getCsrfToken();
    if (token && !SAFE_METHODS.has(request.method)) request.headers.set("X-CSRF-Token", token);
    request.headers.set("X-PhotoChanger-Client", "web");
    return request;
  },
  async onResponse({ response, schemaPath }) {
    if (response.ok) return undefined;
    const error = await errorOf(response);
    // Who asks whether somebody is signed in wants the answer, not to be led away.
    if (error.signedOut && schemaPath !== "/api/me") reportSignedOut();
    throw error;
  },
  onError({ error }) {
    const reported = noAnswer(error);
    return reported instanceof Error ? reported : new Error(String(reported));
  },
};

/** The API, typed by its OpenAPI document. Every call that was not answered with 2xx throws an `ApiError`. */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: "same-origin",
  // Late, so that a test may put another fetch in its place.
  fetch: (request) => globalThis.fetch(request),
});
api.use(session);

/** The JSON a call was answered with: `await answer(api.GET("/api/slots"))`. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  if (data === undefined) throw new TypeError("This route answers nothing; await the call itself.");
  return data;
}

/**
 * The form a call sends: `api.POST(path, { params, ...multipart({ file }) })`. Absent values are left out.
 *
 * The document describes files as strings, so no type fits what is really sent: `never` fits every route's body.
 */
export function multipart(fields: Record<string, Blob | string | undefined>) {
  return {
    body: fields as never,
    bodySerializer: () => {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) {
        if (value !== undefined) form.append(name, value);
      }
      return form;
    },
  };
}
