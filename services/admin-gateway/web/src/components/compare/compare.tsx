import { type CSSProperties, useState } from "react";
import classes from "./compare.module.css";

interface ComparePicture {
  src: string;
  /** Its name in the corner and for readers of the screen. */
  label: string;
}

interface CompareProps {
  before: ComparePicture;
  after: ComparePicture;
  /** Name of the handle. */
  label: string;
  /** width : height of the frame until the picture after is there to tell its own. */
  ratio?: number;
}

const START = 50;

/**
 * Two pictures on top of each other, with a handle that uncovers one or the other. The handle is a native range over the
 * whole frame, so that pointer, touch, arrow keys and screen readers work as everywhere else.
 */
export function Compare({ before, after, label, ratio = 1 }: CompareProps) {
  const [share, setShare] = useState(START);
  const [shape, setShape] = useState(ratio);
  // Custom properties of ours are none that React's types know.
  const style = { "--share": `${share}%`, "--ratio": shape, aspectRatio: shape } as CSSProperties;
  return (
    <div className={classes["frame"]} style={style}>
      <img
        className={classes["picture"]}
        src={after.src}
        alt={after.label}
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
          if (naturalHeight > 0) setShape(naturalWidth / naturalHeight);
        }}
      />
      <img className={classes["picture"]} data-side="before" src={before.src} alt={before.label} />
      <span className={classes["label"]} data-side="before" data-faint={share < 12} aria-hidden="true">
        {before.label}
      </span>
      <span className={classes["label"]} data-side="after" data-faint={share > 88} aria-hidden="true">
        {after.label}
      </span>
      <input
        type="range"
        className={classes["range"]}
        min={0}
        max={100}
        step={1}
        value={share}
        aria-label={label}
        aria-valuetext={`${share} %`}
        onChange={(event) => setShare(event.currentTarget.valueAsNumber)}
      />
      <span className={classes["handle"]} aria-hidden="true">
        <span className={classes["knob"]}>‹ ›</span>
      </span>
    </div>
  );
}
