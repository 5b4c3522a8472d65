/*
 * Keeps a page up to date. The server renders every page completely and sends changed parts (`/events`, pages/live);
 * without this script a page works as well, and is refreshed by its link.
 */

const RECONNECT_MS = 2_000;
const TYPING_MS = 250;
const REFRESH_MS = 3_000;

/** Difference between the server's clock and this one, ms. */
let clockOffset = 0;
/** @type {EventSource | undefined} */
let events;
let reconnecting = 0;
let refreshedAt = Number.NEGATIVE_INFINITY;

const state = document.getElementById('live-state');

connect();
tick();
setInterval(tick, 1_000);
document.addEventListener('click', onClick);
document.addEventListener('submit', onSubmit);
document.addEventListener('input', onInput);
document.addEventListener('keydown', onKey);
addEventListener('popstate', () => location.reload());
// A page in the browser's cache must not hold a connection, of which browsers allow six per server.
addEventListener('pagehide', () => events?.close());
addEventListener('pageshow', (event) => event.persisted && connect());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) disconnect();
  else connect();
});

function connect() {
  disconnect();
  if (!state || !document.body.hasAttribute('data-live')) return;
  const page = location.pathname + location.search;
  events = new EventSource(`/events?page=${encodeURIComponent(page)}`);
  events.addEventListener('change', (event) => apply(JSON.parse(event.data)));
  events.addEventListener('open', () => show('live', 'live'));
  events.addEventListener('error', () => {
    show('waiting', 'not connected, trying again');
    // The browser itself tries again, unless the server has answered with an error.
    if (events?.readyState === EventSource.CLOSED) reconnecting = setTimeout(connect, RECONNECT_MS);
  });
}

function disconnect() {
  clearTimeout(reconnecting);
  events?.close();
  events = undefined;
}

function show(name, text) {
  if (!state || state.dataset.state === name) return;
  state.dataset.state = name;
  state.querySelector('.live-text').textContent = text;
}

/** Applies a `Change` of pages/live/change.ts. */
function apply({ at, parts, lists }) {
  clockOffset = at - Date.now();
  let isOther = false;
  for (const [id, html] of Object.entries(parts)) {
    const element = document.getElementById(id);
    if (element) morphChildren(element, parse(html));
    else isOther = true;
  }
  for (const [id, { order, rows }] of Object.entries(lists)) {
    const list = document.getElementById(id);
    if (list) applyList(list, order, rows);
    else isOther = true;
  }
  if (isOther) void refresh();
  tick();
}

/** The page has other parts than when it was opened: its content is replaced as far as it differs. */
async function refresh() {
  if (performance.now() - refreshedAt < REFRESH_MS) return;
  refreshedAt = performance.now();
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  morphChildren(document.getElementById('main'), page.getElementById('main'));
  tick();
}

function applyList(list, order, rows) {
  for (const fresh of [...parse(Object.values(rows).join('')).children]) {
    const old = document.getElementById(fresh.id);
    if (old) morph(old, fresh);
    else list.append(fresh);
  }
  if (!order) return;
  const focused = document.activeElement;
  const wanted = new Set(order);
  for (const row of [...list.children]) if (!wanted.has(row.id)) row.remove();
  order.forEach((id, index) => {
    const row = document.getElementById(id);
    if (row && list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
  // An element that is moved loses the focus.
  if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

/** A template reads rows of tables too, and runs nothing. */
function parse(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
}

/** Makes an element equal to another one, and keeps focus, selection and what was opened. */
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !OWN_ATTRIBUTES.has(name)) old.removeAttribute(name);
  }
  // Its text is written by `tick`.
  if (old.nodeName !== 'TIME') morphChildren(old, fresh);
}

/** Set by this script or by the browser. */
const OWN_ATTRIBUTES = new Set(['open', 'tabindex', 'title']);

function morphChildren(old, fresh) {
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, index) => {
    const current = before[index];
    if (current) morph(current, node);
    else old.append(node);
  });
  for (const extra of before.slice(after.length)) extra.remove();
}

/** Writes relative times, which change without the server. */
function tick() {
  const now = Date.now() + clockOffset;
  for (const time of document.querySelectorAll('time[data-as]')) {
    const at = Date.parse(time.dateTime);
    const text = relative(time.dataset.as, time.dataset.as === 'until' ? at - now : now - at);
    const title = `${time.dateTime.slice(0, 19).replace('T', ' ')} UTC`;
    if (time.title !== title) time.title = title;
    if (time.textContent !== text) time.textContent = text;
  }
}

function relative(as, ms) {
  if (as === 'until') return ms > 0 ? `in ${span(ms)}` : 'now';
  return as === 'ago' ? `${span(ms)} ago` : span(ms);
}

function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${(seconds / 3_600).toFixed(1)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Another view of the same page: its address changes, and the server sends what differs. */
function navigate(url, keep = false) {
  if (keep) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  connect();
}

function addressOf(form) {
  const fields = [...new FormData(form)].filter(([, value]) => value !== '');
  const query = new URLSearchParams(fields);
  // As the server writes it, so that both agree on the address of a page.
  return fields.length > 0 ? `${form.action.split('?')[0]}?${query}` : form.action.split('?')[0];
}

function onSubmit(event) {
  const form = event.target;
  if (!form.hasAttribute('data-soft')) return;
  event.preventDefault();
  const { submitter } = event;
  if (submitter?.name === 'toggle') toggle(form, submitter.value);
  navigate(addressOf(form));
}

/** The open actors of the tree, as `pages/tree/open-actors.ts` writes them. */
function toggle(form, value) {
  const field = form.elements.namedItem('open');
  const open = new Map(
    field.value
      .split('.')
      .filter(Boolean)
      .map((item) => item.split('~')),
  );
  const [id, pages] = value.split('~');
  if (pages === undefined && open.has(id)) open.delete(id);
  else open.set(id, pages);
  field.value = [...open].map(([key, count]) => (count ? `${key}~${count}` : key)).join('.');
}

let typing = 0;

function onInput(event) {
  const form = event.target.form;
  if (!form?.hasAttribute('data-soft')) return;
  clearTimeout(typing);
  typing = setTimeout(() => navigate(addressOf(form), true), TYPING_MS);
}

/** Asks for confirmation in a dialog, with the page that asks without a script. */
async function onClick(event) {
  const link = event.target.closest?.('a[data-confirm]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const answer = await fetch(link.href).catch(() => undefined);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), 'text/html');
  const question = page?.querySelector('#question');
  if (!question) {
    location.assign(link.href);
    return;
  }
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'question-title');
  dialog.append(document.adoptNode(question));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.querySelector('a[data-cancel]')?.addEventListener('click', (cancel) => {
    cancel.preventDefault();
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** Arrow keys in the tree: up and down between actors, right opens, left closes. */
function onKey(event) {
  const row = event.target.closest?.('.tree tbody tr');
  if (event.key === '/' && !event.target.closest?.('input, select, textarea')) {
    event.preventDefault();
    (document.querySelector('main input[type="search"]') ?? document.querySelector('.find input'))?.focus();
    return;
  }
  if (!row || event.target.matches('input, select')) return;
  const button = row.querySelector('button.toggle');
  const isOpen = button?.getAttribute('aria-expanded') === 'true';
  const moves = {
    ArrowDown: () => focusRow(row.nextElementSibling),
    ArrowUp: () => focusRow(row.previousElementSibling),
    Home: () => focusRow(row.parentElement.firstElementChild),
    End: () => focusRow(row.parentElement.lastElementChild),
    ArrowRight: () => (button && !isOpen ? button.click() : focusRow(row.nextElementSibling)),
    ArrowLeft: () => (button && isOpen ? button.click() : focusRow(parentOf(row))),
  };
  const move = moves[event.key];
  if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  move();
}

function focusRow(row) {
  if (!row) return;
  const target = row.querySelector('button') ?? row;
  if (target === row) row.tabIndex = -1;
  target.focus();
}

function parentOf(row) {
  const level = Number(row.getAttribute('aria-level'));
  let above = row.previousElementSibling;
  while (above && Number(above.getAttribute('aria-level')) >= level) above = above.previousElementSibling;
  return above;
}
