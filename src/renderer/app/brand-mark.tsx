/** The mark: an anvil's outline over its edge. */
export function BrandMark() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M2.5 6.5h13.2c0 1.9 2.3 3.2 5.8 3.2-1.2 2.9-4.3 3.9-7 4.1l.9 2.7H7.6l1-2.9C5 13.3 2.6 10.4 2.5 6.5Z"
        fill="var(--es-accent)"
      />
      <path d="M5.5 18.8h13" stroke="var(--es-ember)" strokeWidth="2.2" strokeLinecap="round" />
    </svg>
  )
}
