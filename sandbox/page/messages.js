// One message as an element that can be shown anew when the message is edited.
// What it can do comes as `actions`: onCommand, onCode, onPress, onReply.

import { formatted, link, make } from "./texts.js";

export class MessageView {
  constructor(message, actions) {
    this.actions = actions;
    this.text = make("div", { className: "text" });
    this.meta = make("span", { className: "meta" });
    this.keyboard = make("div", { className: "keyboard" });
    const reply = make("button", { type: "button", className: "reply", textContent: "Reply" });
    reply.addEventListener("click", () => actions.onReply(this.message));
    this.element = make("div", { className: "message" });
    this.element.dataset.messageId = message.message_id;
    this.element.append(
      ...quote(message), ...attachment(message), this.text,
      make("div", { className: "foot" }, reply, this.meta), this.keyboard,
    );
    this.show(message);
  }

  // Only what differs is made anew: a button keeps the focus, a player plays on. True where the buttons are
  // others: then something has happened, and not only time has passed.
  show(message) {
    const before = this.message ?? {};
    this.message = message;
    if (bodyOf(message) !== bodyOf(before)) {
      const entities = message.entities ?? message.caption_entities ?? [];
      this.text.replaceChildren(formatted(bodyOf(message), entities, this.actions));
    }
    this.text.hidden = !bodyOf(message);
    this.meta.textContent = `${message.edit_date ? "edited " : ""}${clock(message.date)}`;
    const hasOtherButtons = JSON.stringify(message.reply_markup) !== JSON.stringify(before.reply_markup);
    if (hasOtherButtons) this.showKeyboard();
    return hasOtherButtons;
  }

  showKeyboard() {
    const rows = this.message.reply_markup?.inline_keyboard ?? [];
    this.keyboard.replaceChildren(
      ...rows.map((row) => make("div", { className: "row" }, ...row.map((button) => this.button(button)))),
    );
  }

  button(shown) {
    if (shown.url) return Object.assign(link(shown.url), { className: "key", textContent: shown.text });
    const key = make("button", { type: "button", className: "key", textContent: shown.text });
    key.addEventListener("click", () => this.actions.onPress(this.message, shown.callback_data, key));
    return key;
  }
}

export function bodyOf(message) {
  return message.text ?? message.caption ?? serviceOf(message);
}

// In few words, for quotes and for those who listen to the page.
export function summaryOf(message) {
  const file = message.audio?.title ?? message.audio?.file_name ?? message.document?.file_name;
  return file ? `♪ ${file}` : bodyOf(message) || "A picture";
}

export function duration(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function serviceOf(message) {
  const joined = message.new_chat_members?.map((person) => person.first_name).join(", ");
  return joined ? `${joined} joined the group` : "";
}

function clock(epochSeconds) {
  return new Date(epochSeconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function quote(message) {
  const quoted = message.reply_to_message;
  if (!quoted) return [];
  const name = make("b", { textContent: quoted.from.first_name });
  return [make("div", { className: "quote" }, name, " ", summaryOf(quoted))];
}

function attachment(message) {
  if (message.audio) return [audio(message.audio)];
  if (message.document) {
    const name = message.document.file_name ?? "file";
    return [make("a", { href: addressOf(message.document), download: name, textContent: `📄 ${name}` })];
  }
  const photo = message.photo?.at(-1);
  return photo ? [make("img", { src: addressOf(photo), alt: "" })] : [];
}

function audio(file) {
  const title = file.title ?? file.file_name ?? "Audio";
  const player = make("audio", { controls: true, preload: "none", src: addressOf(file) });
  player.setAttribute("aria-label", title);
  const told = make("div", { className: "title" }, make("b", { textContent: title }), " ", duration(file.duration));
  return make("div", { className: "audio" }, told, player);
}

function addressOf(file) {
  return `/chat-api/files/${encodeURIComponent(file.file_id)}`;
}
