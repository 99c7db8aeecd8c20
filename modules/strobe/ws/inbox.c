#include "modules/strobe/ws/inbox.h"

#include "modules/strobe/ws/utf8.h"

#include <stdlib.h>
#include <string.h>

void ws_inbox_init(struct ws_inbox *inbox, unsigned most) {
  *inbox = (struct ws_inbox){.most = most};
  list_init(&inbox->messages);
}

void ws_inbox_free(struct ws_inbox *inbox) {
  struct list *node = inbox->messages.next;
  while (node != &inbox->messages) {
    struct ws_message *message = list_entry(node, struct ws_message, link);
    node = node->next;
    free(message);
  }
  ws_inbox_init(inbox, inbox->most);
}

struct ws_message *ws_inbox_first(const struct ws_inbox *inbox) {
  return inbox->count > 0 ? list_entry(inbox->messages.next, struct ws_message, link) : NULL;
}

struct ws_message *ws_inbox_take(struct ws_inbox *inbox) {
  struct ws_message *message = ws_inbox_first(inbox);
  if (message) {
    list_remove(&message->link);
    inbox->count--;
  }
  return message;
}

static void append(struct ws_inbox *inbox, struct ws_message *message) {
  list_append(&inbox->messages, &message->link);
  inbox->count++;
}

bool ws_inbox_put(struct ws_inbox *inbox, const char *bytes, size_t size, bool text) {
  if (ws_inbox_full(inbox))
    return true;
  struct ws_message *message = malloc(sizeof *message + size);
  if (!message)
    return false;
  message->text = text;
  message->last = true;
  message->size = size;
  if (size > 0)
    memcpy(message->bytes, bytes, size);
  append(inbox, message);
  return true;
}

/* Keeps the start of a last character for the next piece. */
static void hold_back(struct ws_inbox *inbox, struct ws_message *message) {
  size_t size = ws_utf8_unfinished(message->bytes, message->size);
  message->size -= size;
  memcpy(inbox->held, message->bytes + message->size, size);
  inbox->held_size = (uint8_t)size;
}

bool ws_inbox_put_piece(struct ws_inbox *inbox, const char *bytes, size_t size, bool text,
                        bool last) {
  size_t held = inbox->held_size;
  inbox->cut_off = inbox->cut_off || ws_inbox_full(inbox);
  if (inbox->cut_off)
    return true;
  struct ws_message *message = malloc(sizeof *message + held + size);
  if (!message)
    return false;
  message->text = text;
  message->last = last;
  message->size = held + size;
  memcpy(message->bytes, inbox->held, held);
  if (size > 0)
    memcpy(message->bytes + held, bytes, size);
  inbox->held_size = 0;
  if (text)
    hold_back(inbox, message);
  if (message->size > 0 || last)
    append(inbox, message);
  else
    free(message);
  return true;
}
