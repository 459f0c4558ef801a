// The page at /api acts with the cookie of whoever is signed in. This header shows the host that a request comes from one of its own pages:
// other sites cannot set it.
(() => {
  const send = window.fetch;
  window.fetch = (resource, options) => {
    const request = new Request(resource, options);
    if (new URL(request.url).origin === window.location.origin) {
      request.headers.set('X-Requested-With', 'fetch');
    }
    return send(request);
  };
})();
