// Node 20 has no navigator, and a later one speaks the machine's language.
if (typeof window === "undefined") {
  Object.defineProperty(globalThis, "navigator", { value: { languages: ["en-US"] }, configurable: true });
}
