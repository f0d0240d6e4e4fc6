/** API keys of programs. */
export const keys = {
  title: "API keys",
  intro:
    "For programs that send photos by themselves: websites, apps, other booths. Each gets a key of its own.",
  back: "Settings",
  create: "Create a key",
  toWebhooks: "Webhook deliveries",
  webhooksOf: "Webhook deliveries of {{name}}",
  make: "Create key",
  failed: "The key was not created",
  lastUsedHelp: "Last use is exact to a minute.",
  empty: {
    title: "No program has a key yet",
    text: "Create one for each program that is to send photos. You can revoke it at any time without touching the others.",
  },
  state: { valid: "Valid", revoked: "Revoked" },
  facts: {
    scopes: "What it may do",
    created: "Created",
    lastUsed: "Last used",
    revoked: "Revoked",
    client: "Client",
  },
  name: {
    label: "Name",
    help: "Which program it is for: “Wedding website”, “Tablet at the entrance”.",
    wanted: "Give it a name, to know it again later.",
  },
  scopes: {
    label: "What it may do",
    help: "As little as the program needs: whoever gets hold of the key may do the same.",
    wanted: "Choose at least one.",
  },
  scope: {
    jobsWrite: {
      title: "Send photos",
      help: "Upload photos, start, repeat and cancel jobs. Each may cost money with a provider.",
    },
    jobsRead: {
      title: "Fetch results",
      help: "See its own jobs and download their pictures; never those of others.",
    },
    webhooks: {
      title: "Manage notifications",
      help: "Set where finished jobs are announced (webhooks), and look at past deliveries.",
    },
  },
  made: {
    title: "The key is made",
    once: "Copy it now: it is shown only this once",
    warning:
      "We keep no copy. Put it where the program keeps its secrets; never into a page, an app's code or a message.",
    copy: "the API key",
    use: "The program sends it with each request: Authorization: Bearer <key>.",
    thenRevoke: "When the program uses it, revoke the old key that ends with {{digits}}.",
    close: "I have copied it",
  },
  replace: {
    button: "Replace",
    title: "Another key for “{{name}}”",
    text: "Both keys work, and both see the same jobs, until you revoke the old one: the program can be changed over without a pause.",
  },
  revoke: {
    button: "Revoke",
    title: "Revoke the key “{{name}}”?",
    text: "The program that uses it is refused from the next request on. Jobs it has started go on. This cannot be undone.",
    done: "The key “{{name}}” is revoked",
  },
};
