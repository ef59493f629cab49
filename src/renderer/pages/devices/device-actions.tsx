import { ActionIcon, Button, Menu } from '@mantine/core'
import {
  IconDots,
  IconGauge,
  IconPackageImport,
  IconPlug,
  IconPlugConnectedX,
  IconRefresh,
  IconRepeat,
  IconTrash,
} from '@tabler/icons-react'
import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import type { DeviceLink } from '../../../contract/device-link.ts'
import { startedWith } from '../../backend/started-jobs.ts'
import { useAction } from '../../backend/use-action.ts'
import { useActiveJobs } from '../../backend/use-jobs.ts'
import type { UseConnect } from './use-connect.ts'

interface DeviceActionsProps {
  readonly device: Device
  readonly link: DeviceLink | undefined
  readonly connect: UseConnect
  readonly onProbe: () => void
  readonly probing: boolean
  readonly onBenchmark: () => void
  readonly onRemove: () => void
  readonly onAddAgain: () => void
}

/** What can be done with a device. */
export function DeviceActions(props: DeviceActionsProps) {
  const { device, link, connect, onProbe, probing, onBenchmark, onRemove, onAddAgain } = props
  const prepare = useAction('devices.prepare')
  const preparing = useActiveJobs('devices.prepare').some(({ id }) => startedWith(id, 'devices.prepare')?.id === device.id)
  const isLocal = device.id === LOCAL_DEVICE_ID
  const fits = device.report?.fits !== false
  return (
    <>
      <Button leftSection={<IconGauge size={14} />} disabled={!fits} onClick={onBenchmark} data-testid="device-benchmark">
        Benchmark here
      </Button>
      {isLocal ? null : <LinkAction link={link} connect={connect} />}
      <Button
        variant="default"
        leftSection={<IconPackageImport size={14} />}
        loading={prepare.isPending || preparing}
        disabled={!fits}
        onClick={() => prepare.mutate({ id: device.id })}
        data-testid="device-prepare"
      >
        Prepare
      </Button>
      <Button variant="default" leftSection={<IconRefresh size={14} />} loading={probing} onClick={onProbe} data-testid="device-probe">
        Probe
      </Button>
      {isLocal ? null : (
        <Menu position="bottom-end" width={220}>
          <Menu.Target>
            <ActionIcon variant="default" size={30} aria-label="More" data-testid="device-more">
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconRepeat size={14} />} onClick={onAddAgain} data-testid="device-add-again">
              Change the connection…
            </Menu.Item>
            <Menu.Item color="red" leftSection={<IconTrash size={14} />} onClick={onRemove} data-testid="device-remove">
              Remove…
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  )
}

/** Connect, or disconnect what is connected or trying to. */
function LinkAction({ link, connect }: Pick<DeviceActionsProps, 'link' | 'connect'>) {
  if (link === undefined || link.state === 'idle' || link.state === 'failed') {
    return (
      <Button
        variant="default"
        leftSection={<IconPlug size={14} />}
        loading={connect.pending}
        onClick={connect.connect}
        data-testid="device-link-connect"
      >
        Connect
      </Button>
    )
  }
  return (
    <Button
      variant="default"
      leftSection={<IconPlugConnectedX size={14} />}
      onClick={connect.disconnect}
      data-testid="device-link-disconnect"
    >
      {link.state === 'ready' ? 'Disconnect' : 'Stop connecting'}
    </Button>
  )
}
