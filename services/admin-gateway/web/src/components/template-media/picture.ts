/** Pictures an admin may upload: what the platform can read. */
export const PICTURE_TYPES: readonly string[] = ["image/jpeg", "image/png", "image/webp"];

const MEGABYTE = 1_048_576;

export type PictureProblem =
  | { problem: "type" }
  | { problem: "empty" }
  | { problem: "size"; megabytes: number };

/** What is wrong with a file before it is sent, by its type and size; null: nothing. */
export function pictureProblem(
  file: { type: string; size: number },
  limitMegabytes: number,
): PictureProblem | null {
  if (!PICTURE_TYPES.includes(file.type)) return { problem: "type" };
  if (file.size === 0) return { problem: "empty" };
  if (file.size > limitMegabytes * MEGABYTE) return { problem: "size", megabytes: limitMegabytes };
  return null;
}
