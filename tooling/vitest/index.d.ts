import type { ViteUserConfig } from 'vitest/config'
export const preset: ViteUserConfig
