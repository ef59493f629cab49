import { Button, Menu } from '@mantine/core'
import { IconChevronDown, IconPackages } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useAction } from '../backend/use-action.ts'
import classes from './samples-menu.module.css'

interface SamplesMenuProps {
  /** Further entries, above the samples. */
  readonly children?: ReactNode
}

/** Beside the import button: the bundled models and datasets, for those who already have their own. */
export function SamplesMenu({ children }: SamplesMenuProps) {
  const samples = useAction('samples.import')
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button className={classes.more} aria-label="More to import" loading={samples.isPending} data-testid="import-more">
          <IconChevronDown size={14} aria-hidden />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {children}
        <Menu.Item leftSection={<IconPackages size={15} stroke={1.6} />} onClick={() => samples.mutate({})}>
          Add the sample models and datasets
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
