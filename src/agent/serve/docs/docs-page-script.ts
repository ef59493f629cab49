/** As much of an element as the page needs. */
export interface PageElement {
  textContent: string | null
  className: string
  value: string
  append(...parts: (PageElement | string)[]): void
  replaceChildren(...parts: (PageElement | string)[]): void
  setAttribute(name: string, value: string): void
  addEventListener(event: string, listener: (event: { preventDefault(): void }) => void): void
}

/** As much of a browser as the page needs. */
export interface PageWorld {
  readonly element: (tag: string) => PageElement
  readonly byId: (id: string) => PageElement
  readonly fetch: (path: string, options: { method: string; headers: Record<string, string>; body?: string }) => Promise<Response>
  readonly storage: { getItem(key: string): string | null; setItem(key: string, value: string): void }
}

interface PageSchema {
  readonly [keyword: string]: unknown
}

/**
 * The page at /docs: asks for the token, reads /openapi.json with it, shows every operation with its schemas and a form to try it.
 * Its source text is sent to browsers: it may use nothing from outside itself.
 */
export function docsPage({ element, byId, fetch, storage }: PageWorld): void {
  const KEY = 'edgesmith-token'
  const MOST_ROWS = 300
  const MOST_EXAMPLE_VALUES = 2000
  let root: PageSchema = {}

  const make = (tag: string, className: string, ...parts: (PageElement | string)[]): PageElement => {
    const made = element(tag)
    if (className) made.className = className
    made.append(...parts)
    return made
  }

  const resolve = (schema: PageSchema): PageSchema => {
    let found = schema
    for (let hops = 0; typeof found.$ref === 'string' && hops < 10; hops++) {
      let place: unknown = root
      for (const step of found.$ref.slice(2).split('/')) place = (place as PageSchema)[step]
      found = place as PageSchema
    }
    return found
  }

  const example = (schema: PageSchema): unknown => {
    const {
      type,
      enum: choices,
      anyOf,
      oneOf,
      properties,
      required,
      prefixItems,
      items,
      minItems,
      minimum,
      maximum,
      ...rest
    } = resolve(schema)
    if ('const' in rest) return rest.const
    if (Array.isArray(choices)) return choices[0]
    const variants = (anyOf ?? oneOf) as readonly PageSchema[] | undefined
    if (variants?.[0]) return example(variants[0])
    if (type === 'object') {
      const names = (required ?? []) as readonly string[]
      return Object.fromEntries(names.map((name) => [name, example(((properties ?? {}) as Record<string, PageSchema>)[name] ?? {})]))
    }
    if (type === 'array') {
      if (Array.isArray(prefixItems)) return prefixItems.map((item: PageSchema) => example(item))
      const count = Number(minItems ?? 0)
      return count > MOST_EXAMPLE_VALUES ? [] : Array.from({ length: count }, () => example((items ?? {}) as PageSchema))
    }
    if (type === 'string') return ''
    if (type === 'number' || type === 'integer') {
      const [low, high] = [Number(minimum ?? Number.NEGATIVE_INFINITY), Number(maximum ?? Number.POSITIVE_INFINITY)]
      return low > 0 ? low : Math.min(high, 0)
    }
    return type === 'boolean' ? false : null
  }

  const describe = (schema: PageSchema): string => {
    const { type, enum: choices, minimum, maximum, minItems, maxItems, ...rest } = schema
    if ('const' in rest) return JSON.stringify(rest.const)
    if (Array.isArray(choices))
      return (
        choices
          .slice(0, 20)
          .map((choice) => JSON.stringify(choice))
          .join(' | ') + (choices.length > 20 ? ' | …' : '')
      )
    const size = minItems === undefined ? '' : minItems === maxItems ? ` of ${minItems}` : ` of ${minItems} or more`
    const range = minimum === undefined && maximum === undefined ? '' : ` from ${minimum ?? '−∞'} to ${maximum ?? '∞'}`
    return `${Array.isArray(type) ? type.join(' | ') : (type ?? 'any')}${size}${range}`
  }

  const table = (schema: PageSchema): PageElement => {
    const body = element('tbody')
    let rows = 0
    const walk = (part: PageSchema, path: string, depth: number): void => {
      const found = resolve(part)
      if (rows >= MOST_ROWS || depth > 12) return
      const variants = (found.anyOf ?? found.oneOf) as readonly PageSchema[] | undefined
      if (variants) {
        for (const [index, variant] of variants.entries())
          walk(variant, variants.length > 1 ? `${path} (form ${index + 1})` : path, depth + 1)
        return
      }
      rows++
      body.append(
        make(
          'tr',
          '',
          make('td', 'name', path || 'body'),
          make('td', '', describe(found)),
          make('td', '', String(found.title ?? found.description ?? '')),
        ),
      )
      for (const [name, property] of Object.entries((found.properties ?? {}) as Record<string, PageSchema>)) {
        walk(property, path ? `${path}.${name}` : name, depth + 1)
      }
      if (Array.isArray(found.prefixItems)) {
        for (const [index, item] of (found.prefixItems as readonly PageSchema[]).entries()) walk(item, `${path}[${index}]`, depth + 1)
      } else if (typeof found.items === 'object' && found.items !== null) walk(found.items as PageSchema, `${path}[]`, depth + 1)
    }
    walk(schema, '', 0)
    const note = rows >= MOST_ROWS ? [make('p', 'note', 'More values are in /openapi.json.')] : []
    return make('div', 'schema', make('table', '', body), ...note)
  }

  const schemaOf = (holder: PageSchema | undefined): PageSchema | undefined => {
    const content = holder && (resolve(holder).content as Record<string, PageSchema> | undefined)
    return content?.['application/json']?.schema as PageSchema | undefined
  }

  const tryIt = (method: string, path: string, request: PageSchema | undefined): PageElement => {
    const body = element('textarea')
    body.setAttribute('aria-label', `Body of ${method} ${path}`)
    if (request) body.value = JSON.stringify(example(request), null, 1)
    const result = make('pre', 'result')
    const form = make('form', '', ...(request ? [body] : []), make('button', '', 'Send'), result)
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const headers: Record<string, string> = { authorization: `Bearer ${byId('token').value}` }
      if (request) headers['content-type'] = 'application/json'
      result.textContent = '…'
      fetch(path, { method, headers, ...(request ? { body: body.value } : {}) })
        .then(async (response) => {
          result.textContent = `${response.status}  ${response.headers.get('x-request-id') ?? ''}\n${await response.text()}`
        })
        .catch((error: unknown) => {
          result.textContent = `No answer: ${error}`
        })
    })
    return form
  }

  const operation = (path: string, method: string, described: PageSchema): PageElement => {
    const request = schemaOf(described.requestBody as PageSchema | undefined)
    const responses = Object.entries(described.responses as Record<string, PageSchema>)
    const statuses = responses.map(([status, response]) => {
      const said = resolve(response)
      const schema = status === '200' ? schemaOf(response) : undefined
      return make('li', '', make('b', '', status), ` ${said.description ?? ''}`, ...(schema ? [table(schema)] : []))
    })
    return make(
      'details',
      method,
      make('summary', '', make('b', 'method', method.toUpperCase()), make('code', '', path), ` ${described.summary ?? ''}`),
      ...(request ? [make('h4', '', 'Body'), table(request)] : []),
      make('h4', '', 'Try it'),
      tryIt(method.toUpperCase(), path, request),
      make('h4', '', 'Answers'),
      make('ul', '', ...statuses),
    )
  }

  const show = (document: PageSchema): void => {
    root = document
    const { title, version, description } = document.info as PageSchema
    byId('title').textContent = `${title} ${version}`
    byId('about').textContent = String(description ?? '')
    const operations = Object.entries(document.paths as Record<string, Record<string, PageSchema>>).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => ({ path, method, described })),
    )
    const sections = (document.tags as readonly PageSchema[]).map(({ name, description: about }) =>
      make(
        'section',
        '',
        make('h2', '', String(name)),
        make('p', 'note', String(about)),
        ...operations
          .filter(({ described }) => (described.tags as readonly string[]).includes(String(name)))
          .map(({ path, method, described }) => operation(path, method, described)),
      ),
    )
    byId('operations').replaceChildren(...sections)
  }

  const load = (): void => {
    const token = byId('token').value
    if (token === '') return
    const said = byId('said')
    fetch('/openapi.json', { method: 'GET', headers: { authorization: `Bearer ${token}` } })
      .then(async (response) => {
        const body = (await response.json()) as PageSchema
        if (!response.ok) {
          said.textContent = String((body.error as PageSchema | undefined)?.message ?? response.status)
          return
        }
        storage.setItem(KEY, token)
        said.textContent = ''
        show(body)
      })
      .catch((error: unknown) => {
        said.textContent = `No answer: ${error}`
      })
  }

  byId('token').value = storage.getItem(KEY) ?? ''
  byId('access').addEventListener('submit', (event) => {
    event.preventDefault()
    load()
  })
  load()
}
