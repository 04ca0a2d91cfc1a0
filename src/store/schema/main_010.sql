-- aibox.db, version 10: who has a feature of a model set, without reading the features.

CREATE INDEX face_model_set ON face (model_set_id, person_id);
