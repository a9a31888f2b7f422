# Where approved models are kept. Endpoints are not made here: a run makes the one that it needs, and takes it down.
resource "aws_sagemaker_model_package_group" "models" {
  model_package_group_name        = "${local.name}-models"
  model_package_group_description = "Models of the fraud platform"
}
