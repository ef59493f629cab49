import type { MantineColorScheme } from '@mantine/core'

/**
 * The scheme after `current`. From "as the system" it goes to the other look first, so that the first click always shows a change;
 * then to the system's own look fixed, then back to following the system.
 */
export function nextColorScheme(current: MantineColorScheme, system: 'light' | 'dark'): MantineColorScheme {
  const other = system === 'light' ? 'dark' : 'light'
  if (current === 'auto') return other
  return current === other ? system : 'auto'
}
