data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "platform" {
  cidr_block = "10.60.0.0/16"
  tags       = { Name = local.name }
}

resource "aws_subnet" "msk_client" {
  count             = 3
  vpc_id            = aws_vpc.platform.id
  cidr_block        = cidrsubnet(aws_vpc.platform.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index]
  tags              = { Name = "${local.name}-msk-client-${count.index}" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.platform.id
  tags   = { Name = "${local.name}-private" }
}

resource "aws_route_table_association" "msk_client" {
  count          = length(aws_subnet.msk_client)
  subnet_id      = aws_subnet.msk_client[count.index].id
  route_table_id = aws_route_table.private.id
}

resource "aws_security_group" "msk" {
  name        = "${local.name}-msk"
  description = "Clients of the event bus, by IAM over TLS"
  vpc_id      = aws_vpc.platform.id
}

resource "aws_vpc_security_group_ingress_rule" "msk_iam" {
  security_group_id = aws_security_group.msk.id
  description       = "SASL/IAM from within the network"
  cidr_ipv4         = aws_vpc.platform.cidr_block
  ip_protocol       = "tcp"
  from_port         = 9098
  to_port           = 9098
}
