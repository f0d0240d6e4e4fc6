/** New ingest passwords: said over a phone and typed into a camera's form, hence no look-alike characters. */

const ALPHABET = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ234679";
const LENGTH = 16;

export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 64;

/** A random password of 16 characters, over 90 bits. Bytes that would favour some characters are thrown away. */
export function generatePassword(
  fill: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => void crypto.getRandomValues(bytes),
): string {
  const limit = 256 - (256 % ALPHABET.length);
  let password = "";
  while (password.length < LENGTH) {
    const bytes = new Uint8Array(LENGTH * 2);
    fill(bytes);
    for (const byte of bytes) {
      if (byte < limit && password.length < LENGTH) password += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return password;
}
