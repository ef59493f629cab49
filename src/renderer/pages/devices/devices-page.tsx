import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { AddDeviceDialog } from './add-device-dialog.tsx'
import { DeviceCards } from './device-cards.tsx'
import { DeviceDetail } from './device-detail.tsx'
import { type DeviceDraft, draftOf, emptyDeviceDraft } from './device-draft.ts'

/** This computer and the devices reached by SSH. */
export function DevicesPage({ selectedId }: { selectedId: string | null }) {
  const [, navigate] = useLocation()
  // The form begins with this; null while it is closed.
  const [adding, setAdding] = useState<DeviceDraft | null>(null)
  const devices = useCall('devices.list', {})
  return (
    <div className={pageClasses.page}>
      <PageHeader
        title="Devices"
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={() => setAdding(emptyDeviceDraft())} data-testid="device-add">
            Add device
          </Button>
        }
      />
      <div className={pageClasses.body}>
        <AsyncView query={devices}>
          {(list) => {
            const selected = list.find(({ id }) => id === selectedId) ?? list[0]
            return (
              <SplitView
                name="devices"
                listSize={38}
                list={
                  <DeviceCards
                    devices={list}
                    selectedId={selected?.id ?? null}
                    onSelect={(id) => navigate(`/devices/${id}`)}
                    onAdd={() => setAdding(emptyDeviceDraft())}
                  />
                }
                detail={
                  selected ? (
                    <DeviceDetail
                      key={selected.id}
                      device={selected}
                      onAddAgain={(forgotten) => {
                        setAdding(draftOf(forgotten))
                        navigate('/devices')
                      }}
                    />
                  ) : null
                }
              />
            )
          }}
        </AsyncView>
      </div>
      {adding ? (
        <AddDeviceDialog
          first={adding}
          onClose={() => setAdding(null)}
          onAdded={(id) => {
            setAdding(null)
            navigate(`/devices/${id}`)
          }}
        />
      ) : null}
    </div>
  )
}
