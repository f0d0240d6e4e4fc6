/**
 * What the page knows of its session: the token that proves a change comes from this page, kept in memory only. The
 * session itself is a cookie no script can read.
 */
let csrfToken: string | null = null;
let signedOutListener: () => void = () => {};

export function getCsrfToken(): string | null {
  return csrfToken;
}

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Names what happens when the server says that nobody is signed in (any more). */
export function onSignedOut(listener: () => void): void {
  signedOutListener = listener;
}

export function reportSignedOut(): void {
  csrfToken = null;
  signedOutListener();
}
