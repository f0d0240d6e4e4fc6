/** The login page, which leads back to `here` (a path within the app) afterwards. */
export function loginAddress(here: string): string {
  return here === "/" ? "/login" : `/login?return=${encodeURIComponent(here)}`;
}

/** Where the login page leads to: only ever a path within the app. */
export function returnAddress(search: URLSearchParams): string {
  const wanted = search.get("return") ?? "/";
  return /^\/(?![/\\])/.test(wanted) && !wanted.startsWith("/login") ? wanted : "/";
}
