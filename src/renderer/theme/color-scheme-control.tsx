import { ActionIcon, type MantineColorScheme, Tooltip, useMantineColorScheme } from '@mantine/core'
import { useColorScheme } from '@mantine/hooks'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import { nextColorScheme } from './next-color-scheme.ts'

const looks = {
  auto: { label: 'as the system', Icon: IconDeviceDesktop },
  light: { label: 'light', Icon: IconSun },
  dark: { label: 'dark', Icon: IconMoon },
} as const satisfies Record<MantineColorScheme, unknown>

/** Goes through light, dark and as the system; Mantine keeps the choice in localStorage. */
export function ColorSchemeControl() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const system = useColorScheme(undefined, { getInitialValueInEffect: false })
  const { label, Icon } = looks[colorScheme]
  const next = nextColorScheme(colorScheme, system)
  return (
    <Tooltip label={`Colours: ${label}. Click for ${looks[next].label}.`} position="top-end">
      <ActionIcon
        size="sm"
        aria-label={`Colours: ${label}`}
        onClick={() => setColorScheme(next)}
        data-testid="color-scheme"
        data-scheme={colorScheme}
      >
        <Icon size={15} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  )
}
