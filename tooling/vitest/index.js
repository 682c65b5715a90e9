/** The one test preset. Long proofs run in full where CHAINRULE_LONG is set; otherwise their seeded samples do. */
export const preset = {
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['default'],
    env: { ORT_DISABLE_TELEMETRY: '1' },
  },
}
