import { expect, it } from "vitest";
import { pictureProblem } from "./picture";

it("finds pictures that the server would refuse", () => {
  expect(pictureProblem({ type: "image/png", size: 1_048_576 }, 1)).toBeNull();
  expect(pictureProblem({ type: "image/png", size: 1_048_577 }, 1)).toEqual({
    problem: "size",
    megabytes: 1,
  });
  expect(pictureProblem({ type: "image/heic", size: 5 }, 1)).toEqual({ problem: "type" });
  expect(pictureProblem({ type: "image/jpeg", size: 0 }, 1)).toEqual({ problem: "empty" });
});
