import type { Options } from 'tsup'
export function preset(entry?: Record<string, string>, more?: Options): Options
