import type { ReactNode } from "react";
import classes from "./fact-list.module.css";

/** One line of a list of facts. */
export interface Fact {
  readonly name: string;
  readonly value: ReactNode;
}

/** Names and values side by side; one above the other where it is narrow. */
export function FactList({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={classes["list"]}>
      {facts.map(({ name, value }) => (
        <div key={name} className={classes["fact"]}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
