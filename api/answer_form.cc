#include "api/answer_form.h"

#include <utility>

namespace gatescope::api {

void AnswerForm::send(const std::shared_ptr<const AnswerForm>& form, http::ResponseWriter& writer) {
  http::ResponseHead head = form->head();
  head.prebuilt = std::shared_ptr<const http::PrebuiltHead>(form, &form->head_);
  if (form->tail_.empty()) return writer.answer(std::move(head), form->body_);
  writer.head(std::move(head));
  writer.write(form->body_);
  writer.write(form->tail_);
  writer.end();
}

}  // namespace gatescope::api
