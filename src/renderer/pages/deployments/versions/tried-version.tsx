import { Button, Slider } from '@mantine/core'
import { IconArrowUp, IconX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { ConfirmDialog } from '../../../components/confirm-dialog.tsx'
import { plainText } from '../../../format/plain-text.ts'
import { useTraffic } from './use-traffic.ts'
import { shortRelease, type VersionRow } from './version-rows.ts'
import classes from './versions.module.css'

const marks = [0, 25, 50, 75, 100].map((value) => ({ value }))

const explanations = {
  split: 'gets this share of requests until somebody changes it',
  canary: 'its share goes up step by step while the limits hold',
  shadow: 'gets copies of requests; nobody sees its answers',
} as const

/** A version beside the current one: its share of requests, and becoming current or going away. */
export function TriedVersion({ deploymentId, row }: { deploymentId: string; row: VersionRow }) {
  const { release, modelName, kind, weight } = row
  const traffic = useTraffic(deploymentId)
  const [wanted, setWanted] = useState(weight)
  const [promoting, setPromoting] = useState(false)
  // A canary goes on by itself, and another window may change it.
  useEffect(() => setWanted(weight), [weight])
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
      {kind === 'shadow' ? null : (
        <div className={classes.weight}>
          <Slider
            className={classes.slider}
            value={wanted}
            onChange={setWanted}
            onChangeEnd={(value) => {
              if (value !== weight) traffic.change({ action: 'weight', release, weight: value }, () => setWanted(weight))
            }}
            marks={marks}
            label={null}
            thumbLabel={`Share of requests for ${name}, percent`}
            disabled={traffic.isPending}
          />
          <span className="es-num" data-testid={`weight-${release}`}>
            {Number(wanted.toFixed(1))}% of requests
          </span>
        </div>
      )}
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
