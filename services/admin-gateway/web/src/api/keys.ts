/** The keys of what is fetched. Live events and saves find by them what they outdated (see events.ts). */
export const keys = {
  me: ["me"],
  slots: ["slots"],
  slot: (slotId: string) => ["slot", slotId],
  slotHistory: (slotId: string) => ["slot", slotId, "history"],
  jobs: ["jobs"],
  job: (jobId: string) => ["job", jobId],
  providers: ["providers"],
  settings: ["settings"],
  statistics: ["statistics"],
  audit: ["audit"],
  gallery: ["gallery"],
  queues: ["queues"],
  allDeadTasks: ["dead-tasks"],
  deadTasks: (queue: string) => ["dead-tasks", queue],
  apiKeys: ["api-keys"],
} as const;
