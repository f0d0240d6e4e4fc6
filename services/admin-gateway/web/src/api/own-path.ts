/**
 * The path of one of our addresses, for use within the page.
 *
 * The API names pictures by the address guests use, which may be another host than the admin's, and the content security
 * policy lets the page load from its own only.
 */
export function ownPath(address: string): string {
  const url = new URL(address, window.location.origin);
  return url.protocol === "blob:" || url.protocol === "data:" ? address : url.pathname + url.search;
}
