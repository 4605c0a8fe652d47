// The demo's chat page: what people say goes to /chat-api, what happens comes back as events.

import { ChatView } from "./chats.js";
import { summaryOf } from "./messages.js";
import { make } from "./texts.js";

const TOAST_MS = 4000;
const RECONNECT_MS = 1500;
const ANSWER_WITHIN_MS = 10_000;

const $ = (id) => document.getElementById(id);
const state = { me: null, chats: new Map(), open: null, replyTo: null, examples: [], waiting: null, pressed: [] };

// what is asked of the server

async function ask(path, body) {
  const options = body && { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

function inChat(what) {
  return `/chat-api/chats/${state.open.chat.id}/${what}`;
}

async function told(action) {
  try {
    return await action();
  } catch (error) {
    toast(error instanceof TypeError ? "The demo does not answer. Is it still running?" : error.message);
    return null;
  }
}

async function say(text) {
  if (!text.trim() || !state.open) return;
  const body = { person_id: speaker(), text, reply_to: state.replyTo?.message_id };
  const said = await told(() => ask(inChat("say"), body));
  if (!said) return;
  $("text").value = "";
  replyTo(null);
}

async function press(message, data, key) {
  key.setAttribute("aria-busy", "true");
  state.pressed.push(key);
  setTimeout(() => key.removeAttribute("aria-busy"), ANSWER_WITHIN_MS);
  const body = { person_id: speaker(), message_id: message.message_id, data };
  if (!(await told(() => ask(inChat("press"), body)))) release();
}

function release() {
  state.pressed.splice(0).forEach((key) => key.removeAttribute("aria-busy"));
}

// what the page shows

function speaker() {
  return state.open.isGroup ? Number($("speaker").value) : state.me;
}

function replyTo(message) {
  state.replyTo = message;
  $("reply").hidden = !message;
  $("reply-text").textContent = message ? `Reply to ${message.from.first_name}: ${summaryOf(message)}` : "";
  if (message) $("text").focus();
}

function toast(text) {
  clearTimeout(state.toastEnd);
  Object.assign($("toast"), { textContent: text, hidden: false });
  state.toastEnd = setTimeout(() => ($("toast").hidden = true), TOAST_MS);
}

function showAnswer({ text, show_alert: isAlert }) {
  release();
  if (!text) return;
  if (!isAlert) return toast(text);
  $("alert-text").textContent = text;
  if (!$("alert").open) $("alert").showModal();
}

function openChat(view) {
  state.open = view;
  for (const each of state.chats.values()) each.open(each === view);
  replyTo(null);
  showAction();
  $("speaker-label").hidden = !view.isGroup;
  $("speaker").replaceChildren(
    ...view.chat.people.map((person) => make("option", { value: person.id, textContent: person.first_name })),
  );
  showExamples();
}

function showExamples() {
  const textIn = (example) => (state.open.isGroup && example.group_text) || example.text;
  $("examples").replaceChildren(
    ...state.examples.map((example) => {
      const text = textIn(example);
      const chip = make("button", { type: "button", className: "chip", textContent: example.label, title: text });
      chip.addEventListener("click", () => {
        take(text);
        say(text);
      });
      return chip;
    }),
  );
}

function take(text) {
  $("text").value = text;
}

function showAction() {
  $("action").textContent = state.open?.doing ?? "";
}

const actions = {
  onCommand: say,
  onCode: (text) => {
    take(text);
    $("text").focus();
  },
  onPress: press,
  onReply: replyTo,
  onAction: showAction,
};

// what happens

const HAPPENINGS = {
  new: (view, event) => {
    if (showMessage(view, event.message) && view !== state.open) view.count(1);
  },
  edited: (view, event) => showMessage(view, event.message),
  deleted: (view, event) => view.drop(event.message),
  action: (view, event) => view.showAction(event.detail),
  answer: (view, event) => showAnswer(event.detail),
};

function showMessage(view, message) {
  const isNews = view.show(message);
  if (isNews) $("announcer").textContent = view.summary(message);
  return isNews;
}

function happen(event) {
  const view = state.chats.get(event.chat_id);
  if (view) HAPPENINGS[event.type]?.(view, event);
}

// Everything anew, as it is now. Events that come meanwhile wait: they may be newer.
async function refresh() {
  state.waiting = [];
  const chats = await ask("/chat-api/chats");
  state.examples = await ask("/examples");
  state.me = chats.find((chat) => chat.type === "private")?.id;
  const mine = chats.filter((chat) => chat.people.some((person) => person.id === state.me));
  const views = await Promise.all(mine.map(filled));
  const openId = state.open?.chat.id;
  state.chats = new Map(views.map((view) => [view.chat.id, view]));
  $("chats").replaceChildren(...views.map((view) => view.tab));
  $("logs").replaceChildren(...views.map((view) => view.log));
  if (views.length) openChat(state.chats.get(openId) ?? views[0]);
  state.waiting.splice(0).forEach(happen);
  state.waiting = null;
}

async function filled(chat) {
  const view = new ChatView(chat, state.me, actions);
  view.tab.addEventListener("click", () => openChat(view));
  for (const message of await ask(`/chat-api/chats/${chat.id}/messages`)) view.show(message);
  return view;
}

function trouble(text) {
  Object.assign($("trouble"), { textContent: text, hidden: !text });
}

function connect() {
  const events = new EventSource("/chat-api/events");
  let isOver = false;
  const again = () => {
    if (isOver) return; // the stream and a refresh may both fail
    isOver = true;
    events.close();
    trouble("Not connected. If the demo was stopped, start it again: this page comes back by itself.");
    setTimeout(connect, RECONNECT_MS);
  };
  events.onopen = () => refresh().then(() => isOver || trouble(""), again);
  events.onerror = again;
  events.onmessage = ({ data }) => (state.waiting ? state.waiting.push(JSON.parse(data)) : happen(JSON.parse(data)));
}

// what the person does

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  say($("text").value);
});
$("reply-drop").addEventListener("click", () => replyTo(null));
$("alert-close").addEventListener("click", () => $("alert").close());
document.addEventListener("keydown", (event) => event.key === "Escape" && replyTo(null));
// One player at a time, as on a phone. Media events do not bubble, they can only be caught on their way down.
document.addEventListener(
  "play",
  ({ target }) => document.querySelectorAll("audio").forEach((audio) => audio === target || audio.pause()),
  true,
);

connect();
