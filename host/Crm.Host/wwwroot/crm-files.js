// Uploads of files that were chosen or dropped: some at a time, each with a bar, each to be cancelled.
const AtOnce = 2;

class Files {
  constructor(root, owner, megabytes) {
    Object.assign(this, { root, owner, megabytes, waiting: [], running: new Map(), last: 0, depth: 0 });
    this.events = {
      change: e => {
        if (e.target.type !== 'file') return;
        this.add(e.target.files);
        e.target.value = '';
      },
      dragenter: e => this.over(e, 1),
      dragleave: e => this.over(e, -1),
      dragover: e => { if (this.hasFiles(e)) e.preventDefault(); },
      drop: e => {
        if (!this.hasFiles(e)) return;
        e.preventDefault();
        this.depth = 0;
        root.classList.remove('is-dropped-on');
        this.add(e.dataTransfer.files);
      },
    };
    // Leaving the page would end what is under way.
    this.onUnload = e => { if (this.running.size || this.waiting.length) e.preventDefault(); };
    for (const [name, handler] of Object.entries(this.events)) root.addEventListener(name, handler);
    window.addEventListener('beforeunload', this.onUnload);
    root.dataset.ready = '';
  }

  hasFiles(e) { return [...(e.dataTransfer?.types ?? [])].includes('Files'); }

  over(e, step) {
    if (!this.hasFiles(e)) return;
    this.depth += step;
    this.root.classList.toggle('is-dropped-on', this.depth > 0);
  }

  async add(files) {
    // The browser empties the list as soon as its event is over.
    const added = [...files].map(file => ({ key: ++this.last, file }));
    await this.owner.invokeMethodAsync('Started', added.map(a => ({ key: a.key, name: a.file.name })));
    for (const each of added) {
      if (each.file.size > this.megabytes * 1024 * 1024) this.owner.invokeMethodAsync('Failed', each.key, 'size');
      else this.waiting.push(each);
    }
    this.next();
  }

  next() {
    while (this.running.size < AtOnce && this.waiting.length) this.send(this.waiting.shift());
  }

  send({ key, file }) {
    const request = new XMLHttpRequest();
    this.running.set(key, request);
    request.upload.addEventListener('progress', e => {
      const bar = this.root.querySelector(`progress[data-upload="${key}"]`);
      if (bar && e.lengthComputable) bar.value = 100 * e.loaded / e.total;
    });
    request.addEventListener('loadend', () => {
      if (!this.running.delete(key)) return;
      if (request.status === 201) this.owner.invokeMethodAsync('Uploaded', key, request.responseText);
      else this.owner.invokeMethodAsync('Failed', key, messageOf(request));
      this.next();
    });
    request.open('POST', '/api/files?name=' + encodeURIComponent(file.name));
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    request.setRequestHeader('X-Requested-With', 'fetch');
    request.send(file);
  }

  cancel(key) {
    const request = this.running.get(key);
    this.running.delete(key);
    this.waiting = this.waiting.filter(w => w.key !== key);
    request?.abort();
    this.next();
  }

  dispose() {
    this.waiting = [];
    for (const key of [...this.running.keys()]) this.cancel(key);
    for (const [name, handler] of Object.entries(this.events)) this.root.removeEventListener(name, handler);
    window.removeEventListener('beforeunload', this.onUnload);
  }
}

function messageOf(request) {
  try {
    return JSON.parse(request.responseText).error?.message ?? '';
  } catch {
    return '';
  }
}

export const attach = (root, owner, megabytes) => new Files(root, owner, megabytes);

export function showsPdf() {
  return navigator.pdfViewerEnabled === true;
}
