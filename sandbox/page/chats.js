// One chat: its log of bubbles, and its button in the list of chats.

import { MessageView, summaryOf } from "./messages.js";
import { make } from "./texts.js";

const NEAR_THE_END_PX = 80;
const ACTIONS = { typing: "is writing…", upload_document: "is sending files…", upload_voice: "is sending audio…" };
const ACTION_SHOWN_MS = 6000; // Telegram's apps show it for about as long

export class ChatView {
  constructor(chat, me, actions) {
    [this.chat, this.me, this.actions] = [chat, me, actions];
    [this.views, this.bubbles, this.unread] = [new Map(), new Map(), 0];
    this.log = make("ol", { className: this.isGroup ? "log group" : "log", tabIndex: 0, hidden: true });
    this.log.setAttribute("role", "log");
    this.log.setAttribute("aria-live", "off"); // the page announces what is new, in fewer words
    this.log.setAttribute("aria-label", `Messages: ${this.name}`);
    this.keepEnd();
    this.badge = make("span", { className: "badge", hidden: true });
    this.tab = make(
      "button", { type: "button", className: "chat" },
      make("b", { textContent: this.name }), make("small", { textContent: this.hint }), this.badge,
    );
  }

  get isGroup() {
    return this.chat.type !== "private";
  }

  get name() {
    return this.isGroup ? this.chat.title : "Stembot";
  }

  get hint() {
    const names = this.chat.people.map((person) => person.first_name).join(", ");
    return this.isGroup ? `group: ${names}, Stembot` : "private chat";
  }

  open(isOpen) {
    this.log.hidden = !isOpen;
    this.tab.setAttribute("aria-current", isOpen);
    if (!isOpen) return;
    this.count(-this.unread);
    this.toEnd();
  }

  // Who reads the newest goes on doing so when the log grows, or shrinks because a keyboard opens.
  keepEnd() {
    this.isAtEnd = true;
    this.log.addEventListener("scroll", () => {
      this.isAtEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_THE_END_PX;
    });
    new ResizeObserver(() => this.isAtEnd && this.toEnd()).observe(this.log);
  }

  toEnd() {
    this.isAtEnd = true;
    this.log.scrollTop = this.log.scrollHeight;
  }

  count(more) {
    this.unread += more;
    this.badge.textContent = this.unread;
    this.badge.hidden = !this.unread;
  }

  // True where it is worth telling those who listen to the page.
  show(message) {
    const known = this.views.get(message.message_id);
    const isNews = known ? known.show(message) : this.add(message);
    if (this.isAtEnd || (!known && message.from.id === this.me)) this.toEnd();
    return isNews;
  }

  add(message) {
    const view = new MessageView(message, this.actions);
    this.views.set(message.message_id, view);
    this.bubbleFor(message).append(view.element);
    if (message.from.is_bot) this.showAction(null);
    return message.from.id !== this.me;
  }

  // An album is one bubble for all of its messages.
  bubbleFor(message) {
    const key = message.media_group_id ?? `message ${message.message_id}`;
    if (!this.bubbles.has(key)) this.bubbles.set(key, this.log.appendChild(this.bubble(message)));
    return this.bubbles.get(key);
  }

  bubble(message) {
    const isOwn = message.from.id === this.me;
    const name = make("div", { className: "sender", textContent: message.from.first_name });
    const classes = ["bubble", isOwn && "own", message.from.is_bot && "bot", message.audio && "wide"];
    return make("li", { className: classes.filter(Boolean).join(" ") }, ...(isOwn ? [] : [name]));
  }

  drop(message) {
    this.views.get(message.message_id)?.element.remove();
    this.views.delete(message.message_id);
    for (const [key, bubble] of this.bubbles) {
      if (bubble.querySelector(".message")) continue;
      bubble.remove();
      this.bubbles.delete(key);
    }
  }

  // What the bot is doing; null for nothing. The page shows `doing` of the open chat.
  showAction(action) {
    clearTimeout(this.actionEnd);
    this.doing = action && `Stembot ${ACTIONS[action] ?? "is busy…"}`;
    if (action) this.actionEnd = setTimeout(() => this.showAction(null), ACTION_SHOWN_MS);
    this.actions.onAction();
  }

  summary(message) {
    return `${message.from.first_name}: ${summaryOf(message)}`;
  }
}
