import { useQuery } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import { clientsOf, type NamedClient } from "./clients";

/** More keys than anybody looks through; a client beyond them goes by its id. */
const MOST_KEYS = 200;

/** All clients; none while they are on their way, for a name is a nicety. */
export function useClients(): readonly NamedClient[] {
  const { data } = useQuery({
    queryKey: keys.clients,
    queryFn: ({ signal }) =>
      answer(api.GET("/api/api-keys", { params: { query: { limit: MOST_KEYS } }, signal })),
    select: ({ keys: apiKeys }) => clientsOf(apiKeys),
    staleTime: 60_000,
  });
  return data ?? [];
}

/** Names a client; by the beginning of its id where nobody knows more. */
export function useClientName(): (id: string) => string {
  const clients = useClients();
  return (id) => clients.find((client) => client.id === id)?.name ?? id.slice(0, 8);
}
