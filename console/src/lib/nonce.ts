// Styles that scripts make need the nonce of the answer that brought the page (see the policy in resource_site.c). The
// component library makes them in several places, not all of which can be told; so every <style> gets it here, once.
// To be imported before anything else.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

if (nonce) {
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (name.toLowerCase() === 'style') element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}

export { nonce };
