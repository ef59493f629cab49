import { Button } from '@mantine/core'
import { IconArrowUp, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { ConfirmDialog } from '../../../components/confirm-dialog.tsx'
import { plainText } from '../../../format/plain-text.ts'
import { ShareSlider } from './share-slider.tsx'
import { useTraffic } from './use-traffic.ts'
import { foundText, shortRelease, type VersionRow } from './version-rows.ts'
import classes from './versions.module.css'

const explanations = {
  split: 'gets this share of requests until somebody changes it',
  canary: 'its share goes up step by step while the limits hold',
  shadow: 'gets copies of requests; nobody sees its answers',
} as const

/** A version beside the current one: its share of requests, and becoming current or going away. */
export function TriedVersion({ deploymentId, row }: { deploymentId: string; row: VersionRow }) {
  const { release, modelName, kind, weight } = row
  const traffic = useTraffic(deploymentId)
  const [promoting, setPromoting] = useState(false)
  const share = (wanted: number, onRefused: () => void) => traffic.change({ action: 'weight', release, weight: wanted }, onRefused)
  const name = `${plainText(modelName, 60)} (${shortRelease(release)})`
  return (
    <li className={classes.triedVersion} data-testid={`tried-${release}`} data-weight={weight} data-kind={kind}>
      <div className={classes.triedHead}>
        <span className="es-wrap">
          <strong>{name}</strong> <span className="es-dim">{kind === null ? '' : `${kind}: ${explanations[kind]}`}</span>
        </span>
        <span className={classes.buttons}>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconArrowUp size={14} />}
            onClick={() => setPromoting(true)}
            data-testid={`promote-${release}`}
          >
            Promote…
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconX size={14} />}
            loading={traffic.isPending}
            onClick={() => traffic.change({ action: 'withdraw', release })}
            data-testid={`withdraw-${release}`}
          >
            Withdraw
          </Button>
        </span>
      </div>
      <span className={`${classes.found} es-dim`} data-testid={`found-${release}`}>
        {foundText(row)}
      </span>
      {kind === 'split' ? <ShareSlider name={name} weight={weight} onChange={share} /> : null}
      {promoting ? (
        <ConfirmDialog
          title="Promote this version?"
          confirmLabel="Promote"
          onClose={() => setPromoting(false)}
          onConfirm={() => traffic.changed({ action: 'promote', release })}
        >
          {name} answers all requests at once. The version that serves now becomes the previous one; Roll back brings it back.
        </ConfirmDialog>
      ) : null}
    </li>
  )
}
