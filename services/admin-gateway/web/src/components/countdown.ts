import { useEffect, useState } from "react";

/** The whole seconds until an instant (milliseconds since 1970), told anew each second; 0 when it has passed or is null. */
export function useCountdown(until: number | null): number {
  const [now, setNow] = useState(Date.now);
  const over = until === null || until <= now;
  useEffect(() => {
    if (until === null) return;
    setNow(Date.now());
    if (over) return;
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, [until, over]);
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
}

/** `4:07`. */
export function minutesAndSeconds(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
