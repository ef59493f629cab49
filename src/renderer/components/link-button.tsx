import { Button, type ButtonProps } from '@mantine/core'
import { useLocation } from 'wouter'

interface LinkButtonProps extends ButtonProps {
  readonly href: string
}

/** A button that goes to another page. */
export function LinkButton({ href, ...props }: LinkButtonProps) {
  const [, navigate] = useLocation()
  return <Button {...props} onClick={() => navigate(href)} />
}
