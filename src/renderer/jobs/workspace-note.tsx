import { HoverCard } from '@mantine/core'
import { useBackendState } from '../backend/backend-state.tsx'
import { useCall } from '../backend/use-call.ts'
import { Facts } from '../components/facts.tsx'
import { StateDot } from '../components/state-dot.tsx'
import { formatBytes } from '../format/bytes.ts'
import { plainText } from '../format/plain-text.ts'
import classes from './workspace-note.module.css'

/** Version and workspace folder; more when pointed at. */
export function WorkspaceNote() {
  const { state } = useBackendState()
  const { data: workspace } = useCall('workspace.describe', {})
  if (!workspace) return null
  return (
    <HoverCard position="top-end" width={420} openDelay={150} shadow="md">
      <HoverCard.Target>
        <button type="button" className={classes.note} data-testid="workspace-note">
          <span className={`${classes.path} es-ellipsis`}>{plainText(workspace.path, 300)}</span>
          <StateDot
            condition={state === 'ready' ? 'good' : state === 'failed' ? 'bad' : 'busy'}
          >{`v${plainText(workspace.version, 20)}`}</StateDot>
        </button>
      </HoverCard.Target>
      <HoverCard.Dropdown>
        <Facts
          facts={[
            { label: 'Workspace', value: plainText(workspace.path, 1000), wide: true },
            { label: 'On disk', value: formatBytes(workspace.sizeBytes) },
            { label: 'This computer is', value: workspace.hostTarget },
            { label: 'Edgesmith', value: plainText(workspace.version, 40) },
            { label: 'Node.js', value: plainText(workspace.nodeVersion, 40) },
          ]}
        />
      </HoverCard.Dropdown>
    </HoverCard>
  )
}
