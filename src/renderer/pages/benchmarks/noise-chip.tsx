import { IconFlame, IconHelp, IconVolume, IconVolumeOff } from '@tabler/icons-react'
import type { Noise } from '../../../contract/measurement.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './noise-chip.module.css'

const looks = {
  quiet: { className: classes.quiet, Icon: IconVolumeOff },
  noisy: { className: classes.noisy, Icon: IconVolume },
  throttled: { className: classes.noisy, Icon: IconFlame },
  unknown: { className: classes.unknown, Icon: IconHelp },
} as const satisfies Record<Noise['label'], unknown>

/** How quiet the machine was while it was measured, with the reasons on hover. */
export function NoiseChip({ noise }: { noise: Noise }) {
  const { className, Icon } = looks[noise.label]
  return (
    <span className={`${classes.chip} ${className}`} title={noise.reasons.map((reason) => plainText(reason, 300)).join('\n')}>
      <Icon size={12} stroke={2} aria-hidden />
      {noise.label}
    </span>
  )
}
