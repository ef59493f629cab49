/** As much of an element as the page needs. */
interface PageElement {
  textContent: string | null
  value: string
  hidden: boolean
  focus(): void
  addEventListener(event: 'submit', listener: (event: { preventDefault(): void }) => void): void
}

/** As much of a browser as the page needs. */
export interface PageWorld {
  readonly byId: (id: string) => PageElement
  readonly fetch: (path: string, options: { headers: Record<string, string> }) => Promise<Response>
  readonly storage: { getItem(key: string): string | null; setItem(key: string, value: string): void }
  readonly setTitle: (title: string) => void
  readonly setDark: (isDark: boolean) => void
  readonly darkScheme: { readonly matches: boolean; addEventListener(event: 'change', listener: () => void): void }
  /** Of swagger-ui-bundle.js. */
  readonly SwaggerUIBundle: (options: Readonly<Record<string, unknown>>) => { preauthorizeApiKey(scheme: string, key: string): void }
}

/** As much of /openapi.json, or of the refusal to give it, as the page needs. */
interface Described {
  readonly info: { readonly title: string; readonly version: string }
  readonly error?: { readonly message: string }
}

/**
 * Starts the page at /docs: asks for the token, reads /openapi.json with it, and hands both to Swagger UI. The token stays in this tab and never
 * becomes a part of an address. Its source text is sent to browsers: it may use nothing from outside itself.
 */
export function startDocsPage({ byId, fetch, storage, setTitle, setDark, darkScheme, SwaggerUIBundle }: PageWorld): void {
  const KEY = 'edgesmith-token'
  const [access, token, said] = [byId('access'), byId('token'), byId('said')]

  const show = (described: Described): void => {
    const { title, version } = described.info
    setTitle(`${title} ${version}`)
    access.hidden = true
    const ui = SwaggerUIBundle({
      dom_id: '#api',
      spec: described,
      // No badge of a validator elsewhere.
      validatorUrl: null,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      // Colouring a long answer takes seconds, in which the page does not move.
      syntaxHighlight: false,
      defaultModelsExpandDepth: 0,
      onComplete: () => ui.preauthorizeApiKey('bearer', token.value),
    })
  }

  const refuse = (message: string): void => {
    said.textContent = message
    access.hidden = false
    token.focus()
  }

  const load = (): void => {
    said.textContent = ''
    fetch('/openapi.json', { headers: { authorization: `Bearer ${token.value}` } })
      .then(async (response) => {
        const described = (await response.json()) as Described
        if (!response.ok) return refuse(described.error?.message ?? `The service answered ${response.status}.`)
        storage.setItem(KEY, token.value)
        show(described)
      })
      .catch((error: unknown) => refuse(`No answer: ${error}`))
  }

  const followScheme = (): void => setDark(darkScheme.matches)
  darkScheme.addEventListener('change', followScheme)
  followScheme()
  access.addEventListener('submit', (event) => {
    event.preventDefault()
    load()
  })
  token.value = storage.getItem(KEY) ?? ''
  if (token.value === '') access.hidden = false
  else load()
}
