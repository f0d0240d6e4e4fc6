import { useState } from "react";
import { RouterProvider } from "react-router";
import { createPlatform } from "./platform";
import { Providers } from "./providers";

/** The whole application. */
export function App() {
  const [platform] = useState(createPlatform);
  return (
    <Providers platform={platform}>
      <RouterProvider router={platform.router} />
    </Providers>
  );
}
